if 1:
 	 x = 1 is 2   	
